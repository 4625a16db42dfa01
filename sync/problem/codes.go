package problem

// classes holds the class of every code that is not Fatal (or, in planning,
// Skip). Each family adds its own in codes_<family>.go.
var classes = mergeClasses(signInClasses, grantClasses, sourceClasses, planClasses, writeClasses, stateClasses, oursClasses, runClasses, cmdClasses, undoClasses, noticeClasses, periodicClasses)

func mergeClasses(tables ...map[Code]Class) map[Code]Class {
	all := map[Code]Class{}
	for _, t := range tables {
		for c, k := range t {
			all[c] = k
		}
	}
	return all
}
