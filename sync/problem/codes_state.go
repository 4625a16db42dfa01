package problem

// Family 5: state and periodic sync.
const (
	// DomainBusy: another process synchronises the domain. Args: domain, holder.
	DomainBusy Code = "HS-5001"
)

var stateClasses = map[Code]Class{
	DomainBusy: Mend,
}
