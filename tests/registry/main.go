// A registry with what neither Debian's nor that of distribution 3 has, for the tests: it lists referrers (OCI
// distribution-spec v1.1), and keeps what arrived of an upload that broke. All of it is in memory.
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"
)

const uploads = "/blobs/uploads/"

type server struct {
	registry http.Handler
	lock     sync.Mutex
	begun    map[string]*bytes.Buffer
}

func (s *server) ServeHTTP(answer http.ResponseWriter, asked *http.Request) {
	before, id, found := strings.Cut(asked.URL.Path, uploads)
	if !found {
		s.registry.ServeHTTP(answer, asked)
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if asked.Method == http.MethodPost {
		query := asked.URL.Query()
		if mount := query.Get("mount"); mount != "" && s.has("/v2/"+query.Get("from")+"/blobs/"+mount) {
			answer.Header().Set("Location", before+"/blobs/"+mount)
			answer.Header().Set("Docker-Content-Digest", mount)
			answer.WriteHeader(http.StatusCreated)
			return
		}
		id = strconv.Itoa(len(s.begun))
		s.begun[id] = &bytes.Buffer{}
	}
	upload := s.begun[id]
	if upload == nil {
		answer.WriteHeader(http.StatusNotFound)
		return
	}
	if from, _, is := strings.Cut(asked.Header.Get("Content-Range"), "-"); is && from != strconv.Itoa(upload.Len()) {
		answer.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		return
	}
	// Whatever came stays, also when the end of it did not.
	if _, err := io.Copy(upload, asked.Body); err != nil {
		return
	}
	if asked.Method == http.MethodPut {
		whole := httptest.NewRequest(http.MethodPost, before+uploads+"?"+asked.URL.RawQuery, upload)
		s.registry.ServeHTTP(answer, whole)
		return
	}
	answer.Header().Set("Location", before+uploads+id)
	answer.Header().Set("Range", fmt.Sprintf("0-%d", max(upload.Len(), 1)-1))
	switch asked.Method {
	case http.MethodPost, http.MethodPatch:
		answer.WriteHeader(http.StatusAccepted)
	case http.MethodDelete:
		s.begun[id] = nil
		answer.WriteHeader(http.StatusNoContent)
	default:
		answer.WriteHeader(http.StatusNoContent)
	}
}

func (s *server) has(blob string) bool {
	answer := httptest.NewRecorder()
	s.registry.ServeHTTP(answer, httptest.NewRequest(http.MethodHead, blob, nil))
	return answer.Code == http.StatusOK
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	quiet := registry.Logger(log.New(io.Discard, "", 0))
	handler := registry.New(quiet, registry.WithReferrersSupport(true))
	log.Fatal(http.Serve(listener, &server{registry: handler, begun: map[string]*bytes.Buffer{}}))
}
