package dashboard

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAProgramWithoutThePageSaysSo(t *testing.T) {
	t.Parallel()
	p := &pages{} // as with -tags noui
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/t/crew", http.NoBody))
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Contains(t, w.Body.String(), "built without the page")
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
}
