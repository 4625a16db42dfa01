package assets

import "embed"

// demoFiles hold what the made-up companies are generated from: names of
// people, and the demo company with those of its rows that a story is told by.
//
//go:embed demo/names.json demo/company.json
var demoFiles embed.FS

// DemoNames are the names that people of simulated tenants are given: JSON with
// family and given names (as written, as romanised), names from elsewhere,
// departments and titles.
func DemoNames() []byte { return demoFile("demo/names.json") }

// DemoCompany is the demo company: JSON with its organization and domains as
// Graph shows them, and the accounts that are not made up at random.
func DemoCompany() []byte { return demoFile("demo/company.json") }

func demoFile(name string) []byte {
	b, err := demoFiles.ReadFile(name)
	if err != nil {
		panic(err) // an embedded file is part of the program
	}
	return b
}
