package refserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"

	"github.com/cstest/cstest/reference-server/front"
)

func (s *Server) listen() error {
	shared := net.ListenConfig{KeepAlive: -1} // the timeouts below end idle connections: four system calls less for each
	shared.Control = socketOptions(s.cfg.ReusePort)
	pub, err := shared.Listen(context.Background(), "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("public listener: %w", err)
	}
	adm, err := net.Listen("tcp", s.cfg.AdminListen)
	if err != nil {
		pub.Close()
		return fmt.Errorf("admin listener: %w", err)
	}
	s.publicAddr, s.adminAddr = pub.Addr().String(), adm.Addr().String()
	quiet := slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)
	s.public = &http.Server{
		Handler: s.surface.Handler(), ReadHeaderTimeout: 3 * time.Second, ReadTimeout: 13 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 75 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: quiet, Protocols: s.protocols(),
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 1000}, DisableGeneralOptionsHandler: true,
	}
	s.admin = &http.Server{
		Handler: s.operate, ReadHeaderTimeout: 3 * time.Second, ReadTimeout: 13 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 75 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: quiet,
		DisableGeneralOptionsHandler: true,
	}
	serve := func(srv *http.Server, ln net.Listener, tls bool) {
		s.background.Go(func() {
			var err error
			if tls {
				err = srv.ServeTLS(ln, s.cfg.TLSCert, s.cfg.TLSKey)
			} else {
				err = srv.Serve(ln)
			}
			if err != nil && !errors.Is(err, http.ErrServerClosed) {
				s.log.Error("listener ended", "err", err)
			}
		})
	}
	inClear, desk := s.cfg.TLSCert == "", s.surface.Early()
	if inClear {
		pub = front.Greet(pub, desk)
	}
	pub = s.connections.of(netutil.LimitListener(pub, s.cfg.MaxConnections))
	if inClear {
		pub, s.public.ConnState = front.Keep(pub, desk), front.State
	}
	serve(s.public, pub, !inClear)
	serve(s.admin, adm, false)
	return nil
}

func (s *Server) protocols() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(s.cfg.H2C)
	return &p
}
