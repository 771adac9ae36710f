// Package store is how the control planes of a dense process reach their etcd.
package store

import (
	"reflect"
	"sync"
	"time"

	"go.etcd.io/etcd/client/v3/kubernetes"
	"google.golang.org/grpc"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/cacher"
	"k8s.io/apiserver/pkg/storage/etcd3"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storage/storagebackend/factory"
	"k8s.io/apiserver/pkg/storage/value/encrypt/identity"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"fleet.example/toolchain/controlplane/dense/settings"
)

const keepAlive, keepAliveTimeout = 30 * time.Second, 10 * time.Second // as upstream

// streamBuffer is in bytes.
const streamBuffer = 4 << 10

// Stores gives all resources of one instance one connection to etcd, and with it one stream of watches. Upstream dials once
// for each resource, some 60 times for each instance, with buffers on both sides (kubernetes issue 111476).
type Stores struct {
	client    *kubernetes.Client
	compactor interface {
		etcd3.Compactor
		Stop()
	}
}

// New dials etcd.
func New(etcd settings.Etcd) (*Stores, error) {
	config, err := clientConfig(etcd)
	if err != nil {
		return nil, err
	}
	// Some kilobytes of each of an instance's streams, and nothing while they are silent: upstream's are for one API server
	// that has a connection for each resource.
	config.DialOptions = []grpc.DialOption{grpc.WithReadBufferSize(streamBuffer), grpc.WithWriteBufferSize(streamBuffer),
		grpc.WithSharedWriteBuffer(true)}
	config.DialKeepAliveTime, config.DialKeepAliveTimeout = keepAlive, keepAliveTimeout
	client, err := kubernetes.New(config)
	if err != nil {
		return nil, err
	}
	client.KV = etcd3.NewETCDLatencyTracker(client.KV)
	// One for each instance, as there is one in each API server of a cluster: whichever comes first does the work.
	compactor := etcd3.NewCompactor(client.Client, storagebackend.DefaultCompactInterval, clock.RealClock{}, nil)
	return &Stores{client, compactor}, nil
}

// Close is for when no storage of the instance is in use.
func (s *Stores) Close() {
	s.compactor.Stop()
	_ = s.client.Close()
}

// Share makes a RESTOptionsGetter take its storages from here.
func (s *Stores) Share(getter *generic.RESTOptionsGetter) { *getter = sharing{*getter, s} }

// sharing is upstream's choice of storage options, with the connection replaced.
type sharing struct {
	upstream generic.RESTOptionsGetter
	stores   *Stores
}

func (g sharing) GetRESTOptions(resource schema.GroupResource, example runtime.Object) (generic.RESTOptions, error) {
	options, err := g.upstream.GetRESTOptions(resource, example)
	if err != nil {
		return options, err
	}
	if same(options.Decorator, generic.UndecoratedStorage) {
		options.Decorator = g.stores.plain
	} else {
		options.Decorator = g.stores.cached
	}
	return options, nil
}

func same(a, b generic.StorageDecorator) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

func (s *Stores) raw(config *storagebackend.ConfigForResource, prefix string, one, list func() runtime.Object) (storage.Interface, func()) {
	transformer := config.Transformer
	if transformer == nil {
		transformer = identity.NewEncryptCheckTransformer()
	}
	versioner := storage.APIObjectVersioner{}
	store := etcd3.New(s.client, s.compactor, config.Codec, one, list, config.Prefix, prefix, config.GroupResource, transformer,
		config.LeaseManagerConfig, etcd3.NewDefaultDecoder(config.Codec, versioner), versioner)
	return store, store.Close
}

// plain is a generic.StorageDecorator: no cache of watches.
func (s *Stores) plain(config *storagebackend.ConfigForResource, prefix string, _ func(runtime.Object) (string, error),
	one, list func() runtime.Object, _ storage.AttrFunc, _ storage.IndexerFuncs, _ *cache.Indexers,
) (storage.Interface, factory.DestroyFunc, error) {
	store, end := s.raw(config, prefix, one, list)
	return store, sync.OnceFunc(end), nil // subresources share a storage, and each ends it
}

// cached is a generic.StorageDecorator: upstream's default.
func (s *Stores) cached(config *storagebackend.ConfigForResource, prefix string, key func(runtime.Object) (string, error),
	one, list func() runtime.Object, attributes storage.AttrFunc, triggers storage.IndexerFuncs, indexers *cache.Indexers,
) (storage.Interface, factory.DestroyFunc, error) {
	store, end := s.raw(config, prefix, one, list)
	cached, err := cacher.NewCacherFromConfig(cacher.Config{
		Storage:             store,
		Versioner:           storage.APIObjectVersioner{},
		GroupResource:       config.GroupResource,
		EventsHistoryWindow: config.EventsHistoryWindow,
		ResourcePrefix:      prefix,
		KeyFunc:             key,
		NewFunc:             one,
		NewListFunc:         list,
		GetAttrsFunc:        attributes,
		IndexerFuncs:        triggers,
		Indexers:            indexers,
		Codec:               config.Codec,
	})
	if err != nil {
		end()
		return nil, func() {}, err
	}
	front := cacher.NewCacheDelegator(cached, store)
	return front, sync.OnceFunc(func() {
		front.Stop()
		cached.Stop()
		end()
	}), nil
}
