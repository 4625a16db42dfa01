package assets

import "embed"

// demoFiles hold what the made-up companies are generated from: names of people,
// and the demo company with the rows that its story needs.
//
//go:embed demo/names.json demo/company.json
var demoFiles embed.FS

// DemoNames returns the names for people of simulated tenants: JSON with family and
// given names (as written, as romanised), names from elsewhere, departments and
// titles.
func DemoNames() []byte { return demoFile("demo/names.json") }

// DemoCompany returns the demo company: JSON with its organization and domains as
// Graph shows them, and the accounts that are not made up at random.
func DemoCompany() []byte { return demoFile("demo/company.json") }

func demoFile(name string) []byte {
	b, err := demoFiles.ReadFile(name)
	if err != nil {
		panic(err) // an embedded file is part of the program
	}
	return b
}
