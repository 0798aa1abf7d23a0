// Two orders and one look at them with Go's own client.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func said(answer *http.Response, err error) {
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	fmt.Println(answer.StatusCode)
}

func main() {
	orders := os.Args[1] + "/orders"
	for number := 0; number < 2; number++ {
		said(http.Post(orders, "application/json", strings.NewReader(os.Args[2])))
	}
	said(http.Get(orders))
}
