package problem

// Family 9: a mistake of hacsync itself.
const (
	// Internal: what must not happen did. Args: what.
	Internal Code = "HS-9001"
)

var oursClasses = map[Code]Class{}
