package cluster

import (
	"encoding/json"
	"strings"
)

// The custom resource that is created in every control plane and read and written there: one small object with a payload.
const (
	Namespace = "default"
	plural    = "memwidgets"
	kind      = "MemWidget"
	version   = "v1"
)

// Group is the API group of one control plane. Each has its own, so that virtual control planes of one process do not
// share a definition by chance.
func Group(name string) string { return "mem-" + name + ".density.fleet.example" }

// CRDName is the name of its CustomResourceDefinition.
func CRDName(name string) string { return plural + "." + Group(name) }

// CRD is that CustomResourceDefinition.
func CRD(name string) []byte {
	type object = map[string]any
	return encode(object{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": object{"name": CRDName(name)},
		"spec": object{
			"group": Group(name), "scope": "Namespaced",
			"names": object{"plural": plural, "singular": strings.ToLower(kind), "kind": kind, "listKind": kind + "List"},
			"versions": []object{{
				"name": version, "served": true, "storage": true,
				"schema": object{"openAPIV3Schema": object{"type": "object", "properties": object{
					"spec": object{"type": "object", "properties": object{
						"data": object{"type": "string"}, "seq": object{"type": "integer"},
					}},
				}}},
			}},
		},
	})
}

// DiscoveryPath is where the group's resources are listed.
func DiscoveryPath(name string) string { return "/apis/" + Group(name) + "/" + version }

// WidgetsPath is the collection of widgets of a control plane.
func WidgetsPath(name string) string {
	return DiscoveryPath(name) + "/namespaces/" + Namespace + "/" + plural
}

// Widget is one object; Metadata goes back as it came, so that an update is of the version that was read.
type Widget struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Metadata   json.RawMessage `json:"metadata"`
	Spec       Spec            `json:"spec"`
}

// Spec is what a writer changes: Seq.
type Spec struct {
	Data string `json:"data"`
	Seq  int64  `json:"seq"`
}

// NewWidget is an object with a payload of that many bytes.
func NewWidget(cluster, name string, bytes int) []byte {
	return encode(Widget{
		Group(cluster) + "/" + version, kind, encode(map[string]string{"name": name}), Spec{strings.Repeat("x", bytes), 0},
	})
}

// Next is the same object with the next Seq.
func Next(body []byte) ([]byte, error) {
	var widget Widget
	if err := json.Unmarshal(body, &widget); err != nil {
		return nil, err
	}
	widget.Spec.Seq++
	return encode(widget), nil
}

func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // only of values made here
	}
	return text
}
