// Writes tests/data/helm_range_generated.tsv: random ranges, and what the library in Helm 4.2 answers for each version.
//
//	go mod init table && go get github.com/Masterminds/semver/v3@v3.5.0 && go run helm_range.go >helm_range_generated.tsv
package main

import (
	"fmt"
	"math/rand"
	"strings"

	"github.com/Masterminds/semver/v3"
)

var versions = []string{
	"1.36.4", "1.36.0-rc.1", "1.36.4+k3s1", "1.37.0-alpha.2", "0.0.5", "0.2.3", "1.25.0", "2.0.0", "1.36.0", "1.0.0",
	"0.0.0-0", "2.0.0-rc.1",
}

func main() {
	chance := rand.New(rand.NewSource(20261121))
	of := func(list ...string) string { return list[chance.Intn(len(list))] }
	number := func() string { return of("0", "1", "2", "25", "36", "37", "4", "5", "x", "*", "X", "01") }
	version := func() string {
		parts := []string{of("0", "1", "1", "1", "2", "x", "*")}
		for len(parts) < 3 && chance.Intn(4) > 0 {
			parts = append(parts, number())
		}
		if chance.Intn(40) == 0 {
			parts = append(parts, "1")
		}
		text := of("", "", "", "v") + strings.Join(parts, ".")
		if chance.Intn(3) == 0 {
			text += of("-0", "-0", "-rc.1", "-alpha", "-alpha.2", "-", "-01")
		}
		if chance.Intn(8) == 0 {
			text += of("+k3s1", "+k3s2", "+")
		}
		return text
	}
	// Left out, because no chart has them and the library is at odds with itself there: a hyphen range beside other
	// comparators, which its rewriting tears apart, and `!=` of a wildcard with a pre-release.
	comparator := func() string {
		return of("", "=", "!=", ">", ">=", "<", "<=", "~", "^", "=>", "=<", "~>", "==", "=~") + of("", "", "", " ") + version()
	}
	alternative := func() string {
		if chance.Intn(8) == 0 {
			return version() + " - " + version()
		}
		text := comparator()
		for chance.Intn(3) == 0 {
			text += of(", ", " ", ",", "  ", " , ", "") + comparator()
		}
		return text
	}
	seen := map[string]bool{}
	fmt.Println("# Written by tests/helm_range.go: random ranges, and what Masterminds/semver v3.5.0 (the library in Helm 4.2) answers.")
	fmt.Println("range\t" + strings.Join(versions, "\t"))
	for len(seen) < 1500 {
		text := alternative()
		for chance.Intn(4) == 0 {
			text += of(" || ", " || ", " ||  ") + alternative()
		}
		if seen[text] || strings.Contains(text, "!=") && strings.Contains(text, "-") {
			continue
		}
		seen[text] = true
		row := []string{text}
		constraint, err := semver.NewConstraint(text)
		for _, version := range versions {
			switch {
			case err != nil:
				row = append(row, "error")
			case constraint.Check(semver.MustParse(version)):
				row = append(row, "yes")
			default:
				row = append(row, "no")
			}
		}
		fmt.Println(strings.Join(row, "\t"))
	}
}
