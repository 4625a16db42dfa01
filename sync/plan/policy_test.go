package plan

import (
	"reflect"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
)

// A setting that is not part of what was approved could be changed between the
// review and the sync.
func TestPolicy_EveryFieldIsInTheFingerprintAndThePlanFile(t *testing.T) {
	for field := range reflect.TypeFor[Policy]().Fields() {
		p := DefaultPolicy()
		switch v := reflect.ValueOf(&p).Elem().FieldByIndex(field.Index); v.Interface().(type) {
		case int:
			v.SetInt(v.Int() + 7)
		case bool:
			v.SetBool(!v.Bool())
		case OnEmpty:
			v.SetString(string(Clear))
		case OnMissing:
			v.SetString(string(KeepMissing))
		case []string:
			v.Set(reflect.ValueOf([]string{"glass@corp.example"}))
		case []directory.Attribute:
			v.Set(reflect.ValueOf(append(directory.Standard(), directory.Department)))
		default:
			t.Fatalf("%s: give this test a value of %s", field.Name, field.Type)
		}
		made := everything(t)
		before := made.fingerprint()
		made.policy = p
		if made.fingerprint() == before {
			t.Errorf("%s is not in the fingerprint", field.Name)
		}
		s := moves("a>b")
		s.in.Policy = p
		if q := recode(t, s.build(t)); !reflect.DeepEqual(q.Policy(), p) {
			t.Errorf("%s: %+v, from the file %+v", field.Name, p, q.Policy())
		}
	}
}
