package problem

// Family 9, the part of the command line: HS-91nn.
const (
	// UsageWrong: the arguments are not what the command takes. Args: text,
	// command.
	UsageWrong Code = "HS-9101"
	// NobodyToAsk: a question has to be answered, standard input is no terminal,
	// and --yes was not given. Args: domain, plan.
	NobodyToAsk Code = "HS-9102"
	// ApprovalNeeded: this state did not compute the plan of a file. Args: file,
	// plan, fingerprint.
	ApprovalNeeded Code = "HS-9103"
	// Declined: the user answered no. Args: domain, plan.
	Declined Code = "HS-9104"
	// FileNotRead: a file could not be read. Args: file, why.
	FileNotRead Code = "HS-9105"
	// FileNotWritten: a file could not be written. Args: file, why.
	FileNotWritten Code = "HS-9106"
	// ReadyFileWrong: what --simulator names is not what a simulator writes.
	// Args: file, why.
	ReadyFileWrong Code = "HS-9107"
	// SimulatorEnded: the simulator of a ready file has ended. Args: file.
	SimulatorEnded Code = "HS-9143"
	// SourceUnknown: no such kind of source. Args: source, kinds.
	SourceUnknown Code = "HS-9108"
	// FaultUnknown: a fault for the simulator is not understood. Args: fault, part
	// (the part that is wrong), takes (what is allowed there).
	FaultUnknown Code = "HS-9109"
	// NameTaken: saved data of another tenant has the name. Args: connection,
	// tenant.
	NameTaken Code = "HS-9110"
	// PlanOtherDomain: the plan file is for another domain. Args: file, plan,
	// domain.
	PlanOtherDomain Code = "HS-9111"
	// RaiseUnapproved: raising a limit once needs the fingerprint it is for.
	// Args: flag, fingerprint.
	RaiseUnapproved Code = "HS-9112"
	// NotListening: the simulator could not listen. Args: address, why.
	NotListening Code = "HS-9113"
	// NoHACAccess: nothing is stored to sign in to the HAC API with. Args:
	// domain.
	NoHACAccess Code = "HS-9114"
	// SettingsFileWrong: not a file that settings --export wrote. Args: file,
	// why.
	SettingsFileWrong Code = "HS-9115"
	// TenantFileWrong: a simulator's tenant file holds what no tenant can.
	// Args: why.
	TenantFileWrong Code = "HS-9116"
	// Unfinished: something that a sync needs is missing; check lists it.
	// Args: missing.
	Unfinished Code = "HS-9117"
	// WriterInPlan: who signed in to write is an account that the plan may touch.
	// Args: upn.
	WriterInPlan Code = "HS-9119"
	// ExportWrong: the export that a simulator is to serve is none. Args: why.
	ExportWrong Code = "HS-9120"
	// NoApplication: no verified application acts for the connection. Args:
	// connection.
	NoApplication Code = "HS-9121"
	// NoPerson: no user's sign-in is saved with the connection. Args: connection.
	NoPerson Code = "HS-9122"
	// GrantUnapproved: granting changes the tenant, no user can be asked, and --yes
	// was not given. Args: none.
	GrantUnapproved Code = "HS-9123"
	// GrantDeclined: the user answered no. Args: none.
	GrantDeclined Code = "HS-9124"
	// NoPublicCertificate: a file holds no public certificate first. Args: file.
	NoPublicCertificate Code = "HS-9125"
	// ApplicationNotFound: no application in the tenant has the connection's tag.
	// Args: connection.
	ApplicationNotFound Code = "HS-9126"
	// FileNoTarget: a file was to be written where none can be. Args: file, kind
	// (folder, nowhere: a link to what is not there, circle: of links, other), target
	// (of the link).
	FileNoTarget Code = "HS-9130"
	// FileNoText: a file that should be text is none, or is in an encoding that is
	// not read. Args: file.
	FileNoText Code = "HS-9138"
	// AnswerByNumber: a question was named by its number in a plan.
	// Args: number, account (UPN), rows, domain, accounts (of all questions).
	AnswerByNumber Code = "HS-9131"
	// QuestionUnknown: no question is about the account that was named, or several
	// are. Args: account, domain, accounts (of all questions; empty for none).
	QuestionUnknown Code = "HS-9132"
	// AnswerUnknown: what was given is no answer. Args: answer, account, rows.
	AnswerUnknown Code = "HS-9133"
	// AnswerRowUnknown: same person was said of a row that the question does not
	// have. Args: answer, account, row (empty for none named), rows.
	AnswerRowUnknown Code = "HS-9134"
	// AnswerRowTaken: the row is another account's by an answer.
	// Args: answer, account, row, rows, number (of the other question).
	AnswerRowTaken Code = "HS-9135"
	// LinksUnapproved: links were to be removed, no user can be asked, and --yes
	// was not given. Args: domain, run, n.
	LinksUnapproved Code = "HS-9136"
	// LinksKept: the user answered no. Args: domain, run, n.
	LinksKept Code = "HS-9137"
	// KeepUnapproved: a dry run was to be learnt from, no user can be asked, and
	// --yes was not given. Args: domain, run, n (links).
	KeepUnapproved Code = "HS-9141"
	// KeepDeclined: the user answered no. Args: domain, run, n.
	KeepDeclined Code = "HS-9142"
	// LeftUnanswered: the input ended before the question was answered.
	LeftUnanswered Code = "HS-9118"
)

var cmdClasses = map[Code]Class{
	UsageWrong:          Mend,
	NobodyToAsk:         Mend,
	ApprovalNeeded:      Mend,
	Declined:            Mend,
	FileNotRead:         Mend,
	FileNotWritten:      Mend,
	FileNoTarget:        Mend,
	FileNoText:          Mend,
	ReadyFileWrong:      Mend,
	SimulatorEnded:      Mend,
	SourceUnknown:       Mend,
	FaultUnknown:        Mend,
	NameTaken:           Mend,
	PlanOtherDomain:     Mend,
	RaiseUnapproved:     Mend,
	NotListening:        Mend,
	NoHACAccess:         Mend,
	SettingsFileWrong:   Mend,
	TenantFileWrong:     Mend,
	Unfinished:          Mend,
	WriterInPlan:        Mend,
	ExportWrong:         Mend,
	LeftUnanswered:      Mend,
	AnswerByNumber:      Mend,
	QuestionUnknown:     Mend,
	AnswerUnknown:       Mend,
	AnswerRowUnknown:    Mend,
	AnswerRowTaken:      Mend,
	LinksUnapproved:     Mend,
	LinksKept:           Mend,
	KeepUnapproved:      Mend,
	KeepDeclined:        Mend,
	NoPublicCertificate: Mend,
	ApplicationNotFound: Mend,
	NoApplication:       Mend,
	NoPerson:            Mend,
	GrantUnapproved:     Mend,
	GrantDeclined:       Mend,
}
