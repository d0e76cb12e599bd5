// Refregistry is an in-memory OCI registry, with the referrers API of distribution-spec 1.1 or without.
//
// It is go-containerregistry's own registry package; the commands that project ships leave that API off.
//
//	refregistry 127.0.0.1:5000
//	refregistry 127.0.0.1:5000 without-referrers
package main

import (
	"io"
	"log"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	without := len(os.Args) == 3 && os.Args[2] == "without-referrers"
	if len(os.Args) != 2 && !without {
		log.Fatal("usage: refregistry HOST:PORT [without-referrers]")
	}
	quiet := log.New(io.Discard, "", 0)
	handler := registry.New(registry.WithReferrersSupport(!without), registry.Logger(quiet))
	log.Fatal(http.ListenAndServe(os.Args[1], handler))
}
