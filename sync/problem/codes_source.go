package problem

// Family 2: source.
const (
	// SourceEmpty: the source has no row at all. Args: name.
	SourceEmpty Code = "HS-2001"
)

var sourceClasses = map[Code]Class{
	SourceEmpty: Mend,
}
