package system_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

// scriptedAgent is the program that workers of these tests drive in the place of an
// agent's: it does what its directive says.
func scriptedAgent(args []string) int {
	word, rest, _ := strings.Cut(strings.Join(args, " "), " ")
	switch word {
	case "say":
		fmt.Println(rest)
	case "crash":
		fmt.Println("half of it")
		fmt.Fprintln(os.Stderr, "the disk is on fire")
		return 3
	case "hang": // whatever it is asked
		signal.Ignore(os.Interrupt)
		fmt.Println("hanging", os.Getpid())
		select {}
	case "wait": // until it is interrupted
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		fmt.Println("waiting", os.Getpid())
		<-ctx.Done()
		fmt.Println("interrupted")
		return 130
	case "slowly":
		for i := range 20 {
			fmt.Println(rest, i)
			time.Sleep(100 * time.Millisecond)
		}
	}
	return 0
}
