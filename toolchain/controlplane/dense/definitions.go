package dense

import (
	"maps"
	"sync"

	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// definitions are the OpenAPI definitions of the built-in types. They are the same for every instance, and upstream keeps a
// set for each, of 6 MB.
var definitions struct {
	sync.Once
	all map[string]common.OpenAPIDefinition
}

// shareDefinitions lets the three API servers of an instance, which have one configuration, take them from there.
func shareDefinitions(config *app.Config) {
	openAPI := config.KubeAPIs.ControlPlane.Generic.OpenAPIV3Config
	definitions.Do(func() { definitions.all = openAPI.Definitions })
	openAPI.Definitions = nil // asks GetDefinitions
	openAPI.GetDefinitions = func(common.ReferenceCallback) map[string]common.OpenAPIDefinition {
		own := maps.Clone(definitions.all)
		for name, definition := range own {
			// The only part that the builder writes to; it clones everything else before it changes it.
			if definition.Schema.Extensions != nil {
				definition.Schema.Extensions = maps.Clone(definition.Schema.Extensions)
				own[name] = definition
			}
		}
		return own
	}
}
