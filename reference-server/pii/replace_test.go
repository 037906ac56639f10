package pii

import (
	"strings"
	"testing"
)

func TestReplace(t *testing.T) {
	m := New()
	var seen []string
	got := m.Replace("电话13812345678，邮箱 a.b@shop.cn。没有别的", func(k Kind, v string) string {
		seen = append(seen, k.String()+"="+v)
		return "<" + k.String() + ">"
	})
	if want := "电话<mobile>，邮箱 <email>。没有别的"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if s := strings.Join(seen, " "); s != "mobile=13812345678 email=a.b@shop.cn" {
		t.Errorf("seen %q", s)
	}
	if s := m.Replace("大促几天发货", func(Kind, string) string { return "!" }); s != "大促几天发货" {
		t.Errorf("harmless became %q", s)
	}
}
