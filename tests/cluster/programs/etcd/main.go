// Debian's etcd is older than the watches of this Kubernetes, and etcd's own modules cannot be installed by name.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
