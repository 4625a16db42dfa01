package problem

import "maps"

// traits are the properties of a code: what a caller may do about it, and, for
// planning only, who decides about a skip and whether the guard cancels.
type traits struct {
	class Class
	group Group
	guard bool
}

// planning holds every code of family 3; classes holds the class of every code of
// the other families that is not Fatal. Each family has its own table in
// codes_<family>.go.
var (
	planning = merge(planTable, undoTable)
	classes  = merge(signInClasses, grantClasses, sourceClasses, writeClasses, stateClasses, oursClasses, runClasses, cmdClasses, noticeClasses, periodicClasses)
)

func merge[V any](tables ...map[Code]V) map[Code]V {
	all := map[Code]V{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

// Class returns the class of a code; Fatal if no table has it.
func (c Code) Class() Class {
	if t, ok := planning[c]; ok {
		return t.class
	}
	return classes[c]
}

// Group returns the group of a code that is the reason of a skip; NotWritable if no
// table gives it a group.
func (c Code) Group() Group {
	if g := planning[c].group; g != 0 {
		return g
	}
	return NotWritable
}

// Guard reports whether the code means that the guard cancels the whole sync.
func (c Code) Guard() bool { return planning[c].guard }
