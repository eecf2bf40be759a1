// Makes a TCP port of the cluster's network namespace reachable in the one this program is started in.
//
// A socket stays for good in the namespace in which it was made. So the listener is made here, on threads that never
// move, and every connection onwards is made on the one thread that has moved into the other namespace.
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"os"
	"runtime"
	"syscall"
)

const (
	setnsCall  = 308 // the system call's number on amd64; package syscall has no name for it
	newNetwork = 0x40000000
)

// A wish for one connection, answered with a connection or nil.
type dial chan net.Conn

func main() {
	listen := flag.String("listen", "", "address to listen on, in this namespace")
	namespace := flag.String("namespace", "", "file of the network namespace to dial in")
	to := flag.String("to", "", "address to dial there; an IP address, because a name would be looked up on other threads")
	flag.Parse()

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	dials := make(chan dial)
	go dialIn(*namespace, *to, dials)
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(client.(*net.TCPConn), dials)
	}
}

func dialIn(namespace, to string, dials <-chan dial) {
	runtime.LockOSThread() // and never unlocked: this thread is of no use to anybody else any more
	file, err := os.Open(namespace)
	if err != nil {
		log.Fatal(err)
	}
	if _, _, failed := syscall.RawSyscall(setnsCall, file.Fd(), newNetwork, 0); failed != 0 {
		log.Fatalf("enter %s: %v", namespace, failed)
	}
	for answer := range dials {
		connection, err := net.Dial("tcp", to)
		if err != nil {
			log.Print(err)
		}
		answer <- connection
	}
}

func serve(client *net.TCPConn, dials chan<- dial) {
	defer client.Close()
	answer := make(dial)
	dials <- answer
	server, ok := (<-answer).(*net.TCPConn)
	if !ok {
		return
	}
	defer server.Close()
	go copyThenClose(server, client)
	copyThenClose(client, server)
}

// The end of one direction is passed on at once: HTTP/1.0 answers and kubectl exec wait for it.
func copyThenClose(to, from *net.TCPConn) {
	io.Copy(to, from)
	to.CloseWrite()
}
