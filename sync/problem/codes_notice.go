package problem

// Family 5, HS-5400 to HS-5449: notices, and what can be seen from outside.
const (
	// NoticeRefused: a target answered, but not that it took the notice.
	// Args: target, status (HTTP status, or what it said).
	NoticeRefused Code = "HS-5401"
	// NoticeUnreachable: a target did not answer. Args: target, where, why.
	NoticeUnreachable Code = "HS-5402"
	// NoticeNotSent: a service did not take the notice. Args: target, where, why.
	NoticeNotSent Code = "HS-5403"
	// NoticeRedirected: a target sends notices elsewhere, which is not followed.
	// Args: target, where.
	NoticeRedirected Code = "HS-5404"
	// NoticeTooSlow: a target did not take the notice in time. Args: target,
	// where, seconds.
	NoticeTooSlow Code = "HS-5405"
	// NoticeUndelivered: a notice could not be delivered. Args: target, title,
	// attempts, gone (empty while it is tried again), why.
	NoticeUndelivered Code = "HS-5406"

	// TargetAddress: the address of a target cannot be used. Args: target, form
	// (what it looks like, without secrets), why.
	TargetAddress Code = "HS-5410"
	// TargetService: no service sends to such an address. Args: scheme, takes.
	TargetService Code = "HS-5411"
	// TargetInsecure: notices would go over the network in clear, or to any host
	// that pretends to be the target. Args: target, where.
	TargetInsecure Code = "HS-5412"
	// TargetExists: there is a target of that name. Args: target.
	TargetExists Code = "HS-5413"
	// TargetUnknown: there is no target of that name. Args: target, known (may be
	// empty).
	TargetUnknown Code = "HS-5414"
	// TargetName: a name cannot be used for a target. Args: target.
	TargetName Code = "HS-5415"
	// TargetKind: there is no such kind of notice. Args: kind, takes.
	TargetKind Code = "HS-5416"
	// TargetAddressMissing: no address was given. Args: variable.
	TargetAddressMissing Code = "HS-5417"
	// TargetAddressShown: the address is in the command line, where others can see
	// it. Args: variable.
	TargetAddressShown Code = "HS-5418"
	// NoTargets: there is no target, so no notice is sent.
	NoTargets Code = "HS-5419"
	// TargetsSealed: the notice targets were sealed with another key. Args: key
	// (what was tried).
	TargetsSealed Code = "HS-5420"
	// TargetsNewer: the notice targets have a form that this program does not know.
	TargetsNewer Code = "HS-5421"
	// TargetsContended: the notice targets were changed by others again and again.
	TargetsContended Code = "HS-5422"

	// MetricsAddress: the metrics cannot be served at an address. Args: address,
	// why.
	MetricsAddress Code = "HS-5430"
)

var noticeClasses = map[Code]Class{
	NoticeRefused:        Retry,
	NoticeUnreachable:    Retry,
	NoticeNotSent:        Retry,
	NoticeRedirected:     Mend,
	NoticeTooSlow:        Retry,
	NoticeUndelivered:    Mend,
	TargetAddress:        Mend,
	TargetService:        Mend,
	TargetInsecure:       Mend,
	TargetExists:         Mend,
	TargetUnknown:        Mend,
	TargetName:           Mend,
	TargetKind:           Mend,
	TargetAddressMissing: Mend,
	TargetAddressShown:   Mend,
	NoTargets:            Mend,
	TargetsSealed:        Mend,
	TargetsNewer:         Mend,
	TargetsContended:     Retry,
	MetricsAddress:       Mend,
}
