package atmcp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

func TestAConfigurationThatCannotWorkIsRefusedForAllItsFaultsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := atmcp.Open(t.Context(), atmcp.Config{
		LeaseTTL: 25 * time.Hour, PresenceHealthy: time.Minute, TaskMaxAttempts: -1, IdemTTL: -1, EventMinimum: -1,
	})
	for _, fault := range []string{"Store", "LeaseTTL", "PresenceHealthy", "TaskMaxAttempts", "IdemTTL", "EventMinimum"} {
		require.ErrorContains(t, err, "Config."+fault)
	}
	assert.NotContains(t, err.Error(), "Config.MaxTasks")
	openHub(t, atmcp.Config{Store: memstore.New(), CacheBytes: -1, RetryBackoff: -1, ReapInterval: -1})
}
