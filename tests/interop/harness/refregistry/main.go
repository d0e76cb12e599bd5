// Refregistry is an in-memory OCI registry with the referrers API of distribution-spec 1.1.
//
// It is go-containerregistry's own registry package; the commands that project ships leave that API off.
//
//	refregistry 127.0.0.1:5000
package main

import (
	"io"
	"log"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: refregistry HOST:PORT")
	}
	quiet := log.New(io.Discard, "", 0)
	handler := registry.New(registry.WithReferrersSupport(true), registry.Logger(quiet))
	log.Fatal(http.ListenAndServe(os.Args[1], handler))
}
