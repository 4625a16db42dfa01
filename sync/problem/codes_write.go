package problem

// Family 4: writing to and reading from the destination.
const (
	// Throttled: the destination asks for a pause. Args: seconds.
	Throttled Code = "HS-4001"
)

var writeClasses = map[Code]Class{
	Throttled: Retry,
}
