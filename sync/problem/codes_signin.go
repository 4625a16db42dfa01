package problem

// Family 1: sign-in and grants.
const (
	// NoSavedData: no connection for the tenant. Args: connection.
	NoSavedData Code = "HS-1001"
)

var signInClasses = map[Code]Class{
	NoSavedData: Mend,
}
