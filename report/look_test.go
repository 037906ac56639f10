package report
import ("os";"testing")
func TestLookHTML(t *testing.T) {
	d := saleDocument(t)
	for _, l := range []Lang{English, Chinese} {
		f, _ := os.Create("/tmp/rep/"+string(l)+".html")
		if err := WriteHTML(d, f, l); err != nil { t.Fatal(err) }
		f.Close()
	}
}
