package flow

import "time"

type (
	// Chart is a row of columns over time, the oldest first. A driver shows as many
	// of the latest as there is room for.
	Chart struct {
		Name Text
		Bars []Bar
	}
	// Bar is one column: how much, and how it ended.
	Bar struct {
		At    time.Time
		Value int
		Mark  Mark
	}
)

func (Chart) piece() {}

// Most is the highest value.
func (c Chart) Most() int {
	most := 0
	for _, b := range c.Bars {
		most = max(most, b.Value)
	}
	return most
}
