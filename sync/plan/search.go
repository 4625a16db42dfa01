package plan

// NameFolder gives the form in which names are compared when somebody searches:
// half-width and full-width, variants of Japanese characters (渡辺, 渡邉, 渡邊),
// upper and lower case, kinds of kana, spaces and signs are one.
func NameFolder() func(string) string { return newFolder().name }
