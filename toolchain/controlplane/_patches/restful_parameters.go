//go:build go1.23

package restful

import "fleet.example/toolchain/controlplane/dense/share"

// described is a parameter by all that it says; only those without lists, maps and bounds are shared.
type described struct {
	name, description, dataType, dataFormat, defaultValue, collectionFormat, pattern string
	kind                                                                             int
	required, allowMultiple, allowEmptyValue, uniqueItems                            bool
}

var parameters share.Memo[described, *Parameter]

// Param gives routes with equal parameters one description of them. A route's parameter is not changed once it was added,
// except for the body's, which the API installer does change; so bodies are not shared.
func (b *RouteBuilder) Param(parameter *Parameter) *RouteBuilder {
	if d := parameter.data; share.On() && (d.Kind == QueryParameterKind || d.Kind == PathParameterKind) &&
		d.Extensions == nil && d.AllowableValues == nil && d.PossibleValues == nil &&
		d.Minimum == nil && d.Maximum == nil && d.MinLength == nil && d.MaxLength == nil && d.MinItems == nil && d.MaxItems == nil {
		key := described{
			d.Name, d.Description, d.DataType, d.DataFormat, d.DefaultValue, d.CollectionFormat, d.Pattern,
			d.Kind, d.Required, d.AllowMultiple, d.AllowEmptyValue, d.UniqueItems,
		}
		parameter, _ = parameters.Of(key, func() (*Parameter, error) { return parameter, nil })
	}
	return b.upstreamParam(parameter)
}
