package server

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/managedfields"
	openapiutil "k8s.io/kube-openapi/pkg/util"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"fleet.example/toolchain/controlplane/dense/share"
)

// models are those of the types of some API groups, made from the definitions that are compiled in.
type models struct {
	converter managedfields.TypeConverter
	spec      map[string]*spec.Schema
}

var openAPIModels share.Memo[string, models]

// getOpenAPIModels makes the models of each set of types once. They depend on the Go types behind the resources (which
// depend on the versions and resources that a control plane serves, so also on its --runtime-config), on the names of
// these types in OpenAPI, and on the function that gives their definitions.
func (s *GenericAPIServer) getOpenAPIModels(apiPrefix string, apiGroupInfos ...*APIGroupInfo) (managedfields.TypeConverter, error) {
	config := s.openAPIV3Config
	// Definitions that were set beforehand, or names that are upstream's default, have nothing to be known by.
	if !share.On() || config == nil || config.Definitions != nil || config.GetDefinitions == nil || config.GetDefinitionName == nil {
		return s.upstreamGetOpenAPIModels(apiPrefix, apiGroupInfos...)
	}
	ignored := openapiutil.NewTrie(config.IgnorePrefixes)
	var names []string
	for _, group := range apiGroupInfos {
		found, err := getResourceNamesForGroup(apiPrefix, group, ignored)
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	slices.Sort(names) // they come from a map
	parts := []string{fmt.Sprint(reflect.ValueOf(config.GetDefinitions).Pointer())}
	for _, name := range slices.Compact(names) {
		called, extensions := config.GetDefinitionName(name)
		parts = append(parts, name, called, fmt.Sprint(extensions))
	}
	made, err := openAPIModels.Of(strings.Join(parts, "\n"), func() (models, error) {
		converter, err := s.upstreamGetOpenAPIModels(apiPrefix, apiGroupInfos...)
		if err != nil || len(apiGroupInfos) == 0 {
			return models{converter: converter}, err
		}
		return models{converter, apiGroupInfos[0].StaticOpenAPISpec}, nil // all of them have the same
	})
	for _, group := range apiGroupInfos {
		group.StaticOpenAPISpec = made.spec
	}
	return made.converter, err
}
