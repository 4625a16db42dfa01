package words_test

import (
	"slices"
	"testing"

	"github.com/hacsync/hacsync/tui/words"
)

func TestRowNumbers(t *testing.T) {
	for typed, want := range map[string][]int{
		"3": {3}, "3,5-7": {3, 5, 6, 7}, "7 5、5": {5, 7}, "５－７": {5, 6, 7}, "5 - 7": {5, 6, 7}, "5..7": {5, 6, 7},
		"0": nil, "9-11": nil, "7-5": nil, "x": nil, "": nil,
	} {
		got, ok := words.RowNumbers(typed, 10)
		if !ok {
			got = nil
		}
		if !slices.Equal(got, want) {
			t.Errorf("rowNumbers(%q) = %v, want %v", typed, got, want)
		}
	}
}
