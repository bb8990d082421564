// Reads Alloy's configuration and writes, as JSON, what its components are called and what of it is wrong: the first error
// of the grammar, and names that no component has. `tests/tools.sh grammars` builds it with Alloy's own parser.
package main

import (
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/grafana/alloy/syntax/ast"
	"github.com/grafana/alloy/syntax/parser"
)

// The namespaces of components; what begins otherwise is a function or a constant.
var namespaces = map[string]bool{"discovery": true, "local": true, "loki": true, "otelcol": true, "prometheus": true}

type report struct {
	Components []string `json:"components"`
	Errors     []string `json:"errors"`
}

type visitor struct{ references *[]string }

func path(node ast.Expr) (string, bool) {
	switch node := node.(type) {
	case *ast.IdentifierExpr:
		return node.Ident.Name, true
	case *ast.AccessExpr:
		inner, ok := path(node.Value)
		return inner + "." + node.Name.Name, ok
	}
	return "", false
}

func (v visitor) Visit(node ast.Node) ast.Visitor {
	if expression, ok := node.(*ast.AccessExpr); ok {
		if name, ok := path(expression); ok {
			if root, _, _ := strings.Cut(name, "."); namespaces[root] {
				*v.references = append(*v.references, name)
			}
			return nil
		}
	}
	return v
}

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	result := report{Components: []string{}, Errors: []string{}}
	file, err := parser.ParseFile("config.alloy", text)
	if err != nil {
		result.Errors = append(result.Errors, err.Error())
	} else {
		seen := map[string]bool{}
		for _, statement := range file.Body {
			if block, ok := statement.(*ast.BlockStmt); ok {
				name := strings.Join(append(append([]string{}, block.Name...), block.Label), ".")
				if seen[name] {
					result.Errors = append(result.Errors, name+" is there twice")
				}
				seen[name] = true
				result.Components = append(result.Components, name)
			}
		}
		var references []string
		ast.Walk(visitor{&references}, file.Body)
		for _, reference := range references {
			known := false
			for _, name := range result.Components {
				known = known || strings.HasPrefix(reference, name+".")
			}
			if !known {
				result.Errors = append(result.Errors, "no component has "+reference)
			}
		}
	}
	json.NewEncoder(os.Stdout).Encode(result)
}
