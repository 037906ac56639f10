package refserver

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// drainTime is how long turns in flight may take to end when the context of
// Start has ended.
const drainTime = 25 * time.Second

// probeMemory is for how long somebody who asked for readiness is taken to ask again.
const probeMemory = time.Minute

// Close drains: not ready at once; where somebody asks for readiness, turns are
// taken for drain.lame_duck more; then no new connections, and turns in flight are
// finished until ctx ends. Further calls wait for the first and return the same
// error.
func (s *Server) Close(ctx context.Context) error {
	s.closing.Do(func() {
		s.leaving.Store(true)
		if time.Since(s.operate.ReadyAsked()) < probeMemory {
			pause(ctx, s.knobs.Load().DrainLameDuck.D())
		}
		s.draining.Store(true)
		var people sync.WaitGroup
		people.Go(func() { s.desk.Drain(ctx) })
		people.Go(func() { s.customers.Drain(ctx) })
		err := s.public.Shutdown(ctx)
		people.Wait()
		if err != nil {
			err = fmt.Errorf("drain: %d turns cut off: %w", s.chat.InFlight(), err)
			s.public.Close()
		}
		s.stop()
		s.store.StopRetries()
		s.admin.Close()
		s.background.Wait()
		s.desk.Close()
		s.release()
		s.closeErr = err
		close(s.closed)
	})
	<-s.closed
	return s.closeErr
}

// release gives back what build and openRedis took.
func (s *Server) release() {
	s.model.Close()
	s.redis.Close()
	s.pulse.Close()
	s.embedded.close()
	s.chat.Close()
	s.gates.Close()
}
