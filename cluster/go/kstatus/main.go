// Reads objects as JSON, one per line, and prints for each what kstatus makes of it: Current, InProgress, Failed or Terminating,
// a tab, and its message. It is the library that Flux and kpt wait by.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(lines.Bytes()); err != nil {
			fmt.Fprintln(os.Stderr, "kstatus: cannot read an object:", err)
			os.Exit(1)
		}
		result, err := status.Compute(object)
		if err != nil {
			fmt.Fprintln(os.Stderr, "kstatus: cannot compute:", err)
			os.Exit(1)
		}
		fmt.Printf("%s\t%s\n", result.Status, strings.ReplaceAll(result.Message, "\n", " "))
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "kstatus: cannot read:", err)
		os.Exit(1)
	}
}
