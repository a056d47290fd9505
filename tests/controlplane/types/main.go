// Command types prints what the simulated server has to know of the built-in types: their fields,
// which of them JSON leaves out when they are empty, and how lists and maps merge. The facts come
// from the server's own Go types and OpenAPI definitions. To renew the table after a change of
// version, run in this folder: go run ./types > ../../crates/sim/src/registry/types.txt
package main

import (
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	aggregator "k8s.io/kube-aggregator/pkg/apiserver/scheme"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/controlplane"
	"k8s.io/kubernetes/pkg/generated/openapi"
)

// What marshals itself, by the letter that stands for its form in JSON.
var opaque = map[string]string{
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":                                "t",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":                           "t",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":                            "s",
	"k8s.io/apimachinery/pkg/api/resource.Quantity":                            "q",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":                          "o",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":                             "j",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":                            "j",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaProps": "j",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON":            "j",
}

type printer struct {
	definitions map[string]common.OpenAPIDefinition
	names       map[reflect.Type]string
	taken       map[string]bool
	lines       []string
}

func main() {
	p := &printer{
		definitions: openapi.GetOpenAPIDefinitions(func(path string) spec.Ref { return spec.MustCreateRef(path) }),
		names:       map[reflect.Type]string{},
		taken:       map[string]bool{},
	}
	var roots []string
	for _, scheme := range []*runtime.Scheme{legacyscheme.Scheme, apiextensions.Scheme, aggregator.Scheme} {
		for _, version := range scheme.PrioritizedVersionsAllGroups() {
			roots = append(roots, p.version(scheme, version)...)
		}
	}
	sort.Strings(roots)
	sort.Strings(p.lines)
	for _, line := range append(roots, p.lines...) {
		fmt.Println(line)
	}
}

// version prints the kinds of a stable version.
func (p *printer) version(scheme *runtime.Scheme, version schema.GroupVersion) (roots []string) {
	if strings.Contains(version.Version, "alpha") || strings.Contains(version.Version, "beta") || version.Version == runtime.APIVersionInternal {
		return nil
	}
	for kind, known := range scheme.KnownTypes(version) {
		_, has := known.FieldByName("ObjectMeta")
		if !has || strings.HasSuffix(known.PkgPath(), "meta/v1") {
			continue
		}
		roots = append(roots, fmt.Sprintf("%s/%s %s > %s", version.Group, version.Version, kind, p.name(known)))
	}
	return roots
}

// name returns the type's name in the table, having printed its line.
func (p *printer) name(t reflect.Type) string {
	if name, ok := p.names[t]; ok {
		return name
	}
	name := t.Name()
	for p.taken[name] {
		name += "'"
	}
	p.names[t], p.taken[name] = name, true
	line := name + ":"
	for _, field := range p.fields(t) {
		line += " " + field
	}
	p.lines = append(p.lines, line)
	return name
}

func (p *printer) fields(t reflect.Type) (fields []string) {
	definition := p.definition(t)
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if name == "" && (field.Anonymous || strings.Contains(options, "inline")) {
			fields = append(fields, p.fields(field.Type)...)
			continue
		}
		fields = append(fields, name+flags(field.Type, options)+"="+p.shape(field.Type, definition.Properties[name], field.Tag))
	}
	return fields
}

// flags tells what JSON does with an empty value: `*` writes it where it is given, `!` writes it
// always, `?` never.
func flags(t reflect.Type, options string) string {
	empty := strings.Contains(options, "omitempty")
	zero := strings.Contains(options, "omitzero")
	switch {
	case t.Kind() == reflect.Pointer:
		return "*"
	case t.Kind() == reflect.Struct && zero, t.Kind() != reflect.Struct && empty:
		return "?"
	default:
		return "!"
	}
}

func (p *printer) definition(t reflect.Type) spec.Schema {
	return p.definitions[t.PkgPath()+"."+t.Name()].Schema
}

func (p *printer) shape(t reflect.Type, property spec.Schema, tag reflect.StructTag) string {
	if t.Kind() == reflect.Pointer {
		return p.shape(t.Elem(), property, tag)
	}
	if letter, ok := opaque[t.PkgPath()+"."+t.Name()]; ok {
		return letter
	}
	if strings.HasPrefix(t.Name(), "JSONSchemaPropsOr") {
		return "j"
	}
	atomic := ""
	if mapType(property) == "atomic" || t.Kind() == reflect.Struct && mapType(p.definition(t)) == "atomic" {
		atomic = "@"
	}
	switch t.Kind() {
	case reflect.Struct:
		return atomic + p.name(t)
	case reflect.Map:
		return atomic + "{" + p.shape(t.Elem(), spec.Schema{}, "") + "}"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "y"
		}
		return "[" + p.shape(t.Elem(), spec.Schema{}, "") + p.list(t.Elem(), property, tag) + "]"
	case reflect.String:
		return "s"
	case reflect.Bool:
		return "b"
	case reflect.Int32, reflect.Uint32, reflect.Uint16:
		return "i"
	case reflect.Int, reflect.Int64:
		return "l"
	case reflect.Float64, reflect.Float32:
		return "f"
	default:
		fmt.Fprintln(os.Stderr, "no shape for", t)
		os.Exit(1)
		return ""
	}
}

// list tells how a list's items are told apart: `set`, or keys with their defaults, and after
// a slash what strategic merge patch does.
func (p *printer) list(item reflect.Type, property spec.Schema, tag reflect.StructTag) (words string) {
	if item.Kind() == reflect.Pointer {
		item = item.Elem()
	}
	kind, _ := property.Extensions.GetString("x-kubernetes-list-type")
	keys, _ := property.Extensions.GetStringSlice("x-kubernetes-list-map-keys")
	switch kind {
	case "set":
		words = " set"
	case "map":
		for _, key := range keys {
			words += " " + key
			if value, ok := p.definition(item).Properties[key].Default.(string); ok && value != "" {
				words += "~" + value
			}
		}
	}
	if strings.Contains(tag.Get("patchStrategy"), "merge") {
		words += " /" + tag.Get("patchMergeKey")
	}
	return words
}

func mapType(schema spec.Schema) string {
	kind, _ := schema.Extensions.GetString("x-kubernetes-map-type")
	return kind
}
