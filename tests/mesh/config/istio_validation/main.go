// Istio's verdicts on mesh configs, for tests/mesh/config/mesh_configs.py: JSON in, JSON out. Built in a checkout of the
// release that is to judge (github.com/istio/istio, tag 1.10.3), into which this folder is copied:
//
//	go build -mod=mod -o istio-validation ./istio_validation
package main

import (
	"encoding/json"
	"os"

	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/validation"
	"istio.io/istio/pkg/kube/inject"
)

type question struct {
	Mesh       string // istiod's document, as in its ConfigMap
	Annotation string // a pod's proxy.istio.io/config; empty if it has none
}

// refusedBy names the part of Istio that refuses: the mesh config, the injector, or the agent of the pod.
func refusedBy(asked question) string {
	config, err := mesh.ApplyMeshConfigDefaults(asked.Mesh)
	if err != nil {
		return "mesh"
	}
	if asked.Annotation == "" {
		return ""
	}
	if inject.AnnotationValidation["proxy.istio.io/config"](asked.Annotation) != nil {
		return "injector"
	}
	merged, err := mesh.ApplyProxyConfig(asked.Annotation, *config)
	if err != nil || validation.ValidateProxyConfig(merged.DefaultConfig) != nil {
		return "agent"
	}
	return ""
}

func main() {
	var asked []question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	verdicts := make([]string, 0, len(asked))
	for _, one := range asked {
		verdicts = append(verdicts, refusedBy(one))
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		panic(err)
	}
}
