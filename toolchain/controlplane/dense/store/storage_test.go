package store

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/generic/registry"

	"fleet.example/toolchain/controlplane/dense/settings"
)

// chosen is a getter that gives what upstream's would.
type chosen struct {
	decorator generic.StorageDecorator
	err       error
}

func (c chosen) GetRESTOptions(resource schema.GroupResource, _ runtime.Object) (generic.RESTOptions, error) {
	return generic.RESTOptions{Decorator: c.decorator, ResourcePrefix: resource.Resource}, c.err
}

func open(t *testing.T) *Stores {
	t.Helper()
	stores, err := New(settings.Etcd{Servers: []string{"http://127.0.0.1:1"}}) // dialled when it is first needed
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stores.Close)
	return stores
}

func TestTheConnectionIsSharedAndUpstreamsChoiceOfCacheStays(t *testing.T) {
	stores := open(t)
	pods := schema.GroupResource{Resource: "pods"}
	for name, one := range map[string]struct{ upstream, ours generic.StorageDecorator }{
		"plain":  {generic.UndecoratedStorage, stores.plain},
		"cached": {registry.StorageWithCacher(), stores.cached},
	} {
		var getter generic.RESTOptionsGetter = chosen{decorator: one.upstream}
		stores.Share(&getter)
		options, err := getter.GetRESTOptions(pods, nil)
		if err != nil || !same(options.Decorator, one.ours) || options.ResourcePrefix != "pods" {
			t.Errorf("%s: %v, %v", name, options, err)
		}
	}
}

func TestAnErrorOfUpstreamIsHandedOn(t *testing.T) {
	refused := errors.New("refused")
	var getter generic.RESTOptionsGetter = chosen{err: refused}
	open(t).Share(&getter)
	if _, err := getter.GetRESTOptions(schema.GroupResource{}, nil); !errors.Is(err, refused) {
		t.Fatal(err)
	}
}

func TestAWrongCertificateIsNamedBeforeAnythingIsDialled(t *testing.T) {
	_, err := New(settings.Etcd{Servers: []string{"https://127.0.0.1:1"}, CAFile: "/absent/ca.crt"})
	if err == nil {
		t.Fatal("it was taken")
	}
}
