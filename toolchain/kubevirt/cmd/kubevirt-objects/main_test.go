package main

import "testing"

func TestEveryWebhookNamesAService(t *testing.T) {
	made, err := generate("kubevirt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"virt-api": true, "kubevirt-operator-webhook": true}
	for kind, configurations := range made.Webhooks {
		if len(configurations) == 0 {
			t.Errorf("%s: no configuration", kind)
		}
		for name, services := range configurations {
			for index, service := range services {
				if !known[service] {
					t.Errorf("%s %s: webhook %d calls %q", kind, name, index, service)
				}
			}
		}
	}
	if len(made.APIServices) == 0 || len(made.Objects) < 3 {
		t.Errorf("%d API services and %d objects", len(made.APIServices), len(made.Objects))
	}
}
