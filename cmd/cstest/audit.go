package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/unit"
)

type auditOptions struct {
	users unit.Count
	rate  unit.Rate
	mean  unit.Duration
}

func newAuditCmd(s streams) *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Hold claimed figures against Little's law; without flags, those of the article the bundled server is rebuilt from",
		Long: `Hold claimed figures against Little's law: N users who wait for each answer have at most
N requests in flight, so rate x mean response time cannot exceed N. Exits 10 when a
claim is impossible. Without flags it holds the table of the article that
docs/reference-server.md names.`,
		Example: `  cstest audit
  cstest audit --users 200 --rate 3200/s --mean 90ms`,
		Args: noSuchCommand,
		RunE: func(*cobra.Command, []string) error { return runAudit(s, o) },
	}
	f := cmd.Flags()
	f.VarP(textFlag(&o.users), "users", "u", "users of the closed loop")
	f.Var(textFlag(&o.rate), "rate", "requests per second, as 3200/s")
	f.Var(textFlag(&o.mean), "mean", "mean response time")
	return cmd
}

func runAudit(s streams, o auditOptions) error {
	claims := sla.ArticleClaims()
	switch given := []bool{o.users > 0, o.rate > 0, o.mean > 0}; {
	case given[0] && given[1] && given[2]:
		claims = []sla.Claim{{Name: reason.Say("claimed"), Users: int(o.users), Rate: float64(o.rate), Mean: o.mean.D()}}
	case given[0] || given[1] || given[2]:
		return usagef("audit needs --users, --rate and --mean together, or none of them for the published table")
	}
	tw := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	lang := s.language()
	fmt.Fprintln(tw, reason.Say("CLAIM\tUSERS\tRATE\tMEAN\tIN FLIGHT\tVERDICT").Text(lang))
	impossible := false
	for _, c := range claims {
		a := sla.Audit(c)
		impossible = impossible || !a.Possible
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s\t%s\n", c.Name.Text(lang), c.Users, unit.Rate(c.Rate).Text(), unit.Duration(c.Mean).Text(), unit.Figure(a.InFlight), a.Reason.Text(lang))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if impossible {
		return quietError{exitFail}
	}
	return nil
}
