package result

// Run is one result, where it lies, and the values of its scenario where they
// could be read.
type Run struct {
	Dir    string
	Doc    *Document
	Values map[string]string
}
