// cilint reads manifests as Tekton and Argo Workflows do: by their own types, with no unknown field, and with their own
// defaults and validation.  What they find is printed, and ends it with 1; else it prints what it has read, one a line.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	argo "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v3/workflow/validate"
	tekton "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	documents "k8s.io/apimachinery/pkg/util/yaml"
	"knative.dev/pkg/apis"
	"sigs.k8s.io/yaml"
)

func main() {
	code := 0
	for _, name := range os.Args[1:] {
		if err := read(name); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			code = 1
		}
	}
	os.Exit(code)
}

// read judges every document of a file.
func read(name string) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	reader := documents.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var meta metav1.TypeMeta
		if err := yaml.Unmarshal(document, &meta); err != nil {
			return err
		}
		kind := meta.APIVersion + " " + meta.Kind
		if err := judge(kind, document); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		fmt.Println(kind)
	}
}

func judge(kind string, document []byte) error {
	switch kind {
	case "tekton.dev/v1 Task":
		return admitted(document, &tekton.Task{})
	case "tekton.dev/v1 Pipeline":
		return admitted(document, &tekton.Pipeline{})
	case "tekton.dev/v1 PipelineRun":
		return admitted(document, &tekton.PipelineRun{})
	case "argoproj.io/v1alpha1 WorkflowTemplate":
		var template argo.WorkflowTemplate
		if err := yaml.UnmarshalStrict(document, &template); err != nil {
			return err
		}
		return validate.ValidateWorkflowTemplate(nil, nil, &template, nil, validate.ValidateOpts{Lint: true})
	}
	return errors.New("expected a kind of tekton.dev/v1 or argoproj.io/v1alpha1 that is known here")
}

// admitted does what Tekton's webhook does when a resource is applied.
func admitted(document []byte, resource interface {
	apis.Defaultable
	apis.Validatable
}) error {
	if err := yaml.UnmarshalStrict(document, resource); err != nil {
		return err
	}
	ctx := apis.WithinCreate(context.Background())
	resource.SetDefaults(ctx)
	if err := resource.Validate(ctx); err != nil {
		return err
	}
	return nil
}
