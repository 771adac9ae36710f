// Command kubevirt-objects prints, as one JSON document, what has to be in a cluster before virt-operator runs there, and
// which objects of KubeVirt name a Service: KubeVirt's own generators make all of it, so nothing of it is kept here.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"

	admission "k8s.io/api/admissionregistration/v1"
	"kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/components"
	"kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/rbac"
)

// document is what Python reads (fleet.platforms.kubevirt.objects).
type document struct {
	// Version of the module that all of this was generated from; images are named by it.
	Version string `json:"version"`
	// Objects are to be created in this order: a CustomResourceDefinition, a PriorityClass, the operator's rights.
	Objects []any `json:"objects"`
	// Webhooks has, by kind and name of a webhook configuration, the Service that each of its webhooks calls.
	Webhooks map[string]map[string][]string `json:"webhooks"`
	// APIServices are names; virt-api serves all of them.
	APIServices []string `json:"api_services"`
}

func main() {
	namespace := flag.String("namespace", "kubevirt", "where KubeVirt is installed")
	flag.Parse()
	made, err := generate(*namespace)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(made)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "kubevirt-objects: %v\n", err)
		os.Exit(1)
	}
}

// version is that of KubeVirt's module in this program; empty in a test.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "kubevirt.io/kubevirt" {
				return module.Version
			}
		}
	}
	return ""
}

func generate(namespace string) (document, error) {
	definition, err := components.NewKubeVirtCrd()
	if err != nil {
		return document{}, fmt.Errorf("the definition of KubeVirt: %w", err)
	}
	made := document{Version: version(), Webhooks: map[string]map[string][]string{"ValidatingWebhookConfiguration": {}, "MutatingWebhookConfiguration": {}}}
	made.Objects = append([]any{definition, components.NewKubeVirtPriorityClassCR()}, rbac.GetAllOperator(namespace)...)
	validating := made.Webhooks["ValidatingWebhookConfiguration"]
	for _, configuration := range []*admission.ValidatingWebhookConfiguration{
		components.NewOpertorValidatingWebhookConfiguration(namespace),
		components.NewVirtAPIValidatingWebhookConfiguration(namespace),
	} {
		for _, webhook := range configuration.Webhooks {
			validating[configuration.Name] = append(validating[configuration.Name], webhook.ClientConfig.Service.Name)
		}
	}
	mutating := made.Webhooks["MutatingWebhookConfiguration"]
	for _, configuration := range []*admission.MutatingWebhookConfiguration{
		components.NewVirtAPIMutatingWebhookConfiguration(namespace),
		components.NewVirtLauncherPodMutatingWebhookConfiguration(namespace),
	} {
		for _, webhook := range configuration.Webhooks {
			mutating[configuration.Name] = append(mutating[configuration.Name], webhook.ClientConfig.Service.Name)
		}
	}
	for _, service := range components.NewVirtAPIAPIServices(namespace) {
		made.APIServices = append(made.APIServices, service.Name)
	}
	return made, nil
}
