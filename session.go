package atmcp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// A session is a browser's sign-in: a secret of its own in a cookie, in place of
// the token that was shown once. The registry keeps its hash.

// sessionTTL is how long a sign-in lasts.
const sessionTTL = 12 * time.Hour

// SignInCodeTTL is how long a code of [Hub.NewCode] can be used.
const SignInCodeTTL = time.Minute

// RoleAdmin is the operator's. The hub knows no admin token: whoever serves the hub
// vouches for it.
const RoleAdmin Role = "admin"

// SignIn says for whom a session is opened: the holder of a token, the redeemer of
// a code, or the operator, for whom the caller vouches.
type SignIn struct {
	Token string
	Code  string
	// Proof is set for the operator alone: something that ends with the admin token,
	// such as its hash. Sessions carry it, so that the caller can compare.
	Proof []byte
}

// SessionInfo describes a session.
type SessionInfo struct {
	Role      Role   `json:"role"` // RoleAdmin, or the token's
	TeamID    TeamID `json:"team_id,omitempty"`
	Team      string `json:"team,omitempty"`
	Name      string `json:"name,omitempty"`
	ExpiresAt int64  `json:"expires_at"`

	// Proof is what the operator's session was opened with.
	Proof []byte `json:"-"`
	// Principal is whom any other session speaks for.
	Principal Principal `json:"-"`

	key string // of the record
}

// sessionRecord is a session or a code on disk.
type sessionRecord struct {
	Team       TeamID `json:"team,omitempty"`
	Credential string `json:"credential,omitempty"` // it dies with this token
	Proof      []byte `json:"proof,omitempty"`
	At         int64  `json:"at"`
}

// ends is when a session is over that nobody ended.
func (r sessionRecord) ends() int64 { return r.At + sessionTTL.Milliseconds() }

// session returns the session at a key, or the refusal that nobody is signed in by it.
func (t *teamTx) session(k keyspace.Key) (sessionRecord, error) {
	rec, ok := load[sessionRecord](t, k)
	if !ok || rec.ends() <= t.now() {
		return rec, notJoined("this browser is not signed in any more; sign in again")
	}
	return rec, nil
}

// The tables of sign-ins in the registry.
const (
	tableSession = 'S' // hash of a secret → sessionRecord
	tableCode    = 'C' // hash of a code → sessionRecord
)

func keySecret(table byte, secret string) keyspace.Key {
	sum := sha256.Sum256([]byte(secret))
	return keyspace.Table(table).Str(string(sum[:]))
}

func newSecret() string { return base64.RawURLEncoding.EncodeToString(randomBytes(32)) }

// OpenSession exchanges a token or a code for a session that lasts 12 hours, and no
// longer than the token. The secret is shown this once. A code is good once. The
// refusal is [CodeNotJoined].
func (h *Hub) OpenSession(ctx context.Context, in SignIn) (secret string, info SessionInfo, err error) {
	var rec sessionRecord
	if in.Code == "" {
		if rec, err = h.signIn(ctx, in); err != nil {
			return "", SessionInfo{}, err
		}
	}
	secret = newSecret()
	key := keySecret(tableSession, secret)
	rec, err = update(ctx, h.registry(), actor{}, func(t *teamTx) (sessionRecord, error) {
		rec := rec
		if in.Code != "" {
			k := keySecret(tableCode, in.Code)
			redeemed, ok := load[sessionRecord](t, k)
			if !ok || redeemed.At+SignInCodeTTL.Milliseconds() <= t.now() {
				return rec, notJoined("the sign-in code was used or is older than a minute; ask for another with atmcpd open")
			}
			t.del(k)
			rec = redeemed
			rec.At = t.now()
		}
		save(t, key, rec)
		return rec, nil
	})
	if err != nil {
		return "", SessionInfo{}, err
	}
	info, err = h.sessionOf(ctx, key, rec)
	return secret, info, err
}

// signIn returns the record of who signs in without a code. Nobody in particular is
// not the operator.
func (h *Hub) signIn(ctx context.Context, in SignIn) (sessionRecord, error) {
	rec := sessionRecord{Proof: in.Proof, At: now()}
	if in.Token == "" && len(in.Proof) > 0 {
		return rec, nil
	}
	if in.Token == "" {
		return rec, notJoined("give a token, or a sign-in code that atmcpd open printed")
	}
	p, err := h.Authenticate(ctx, in.Token)
	rec.Team, rec.Credential, rec.Proof = p.Team, p.credential, nil
	return rec, err
}

// NewCode makes a code that opens one session within [SignInCodeTTL], for who may sign in
// without one.
func (h *Hub) NewCode(ctx context.Context, in SignIn) (code string, err error) {
	rec, err := h.signIn(ctx, in)
	if err != nil {
		return "", err
	}
	code = newSecret()
	_, err = update(ctx, h.registry(), actor{}, func(t *teamTx) (struct{}, error) {
		save(t, keySecret(tableCode, code), rec)
		return struct{}{}, nil
	})
	return code, err
}

// Session returns the session of a secret, or refuses with [CodeNotJoined].
func (h *Hub) Session(ctx context.Context, secret string) (SessionInfo, error) {
	key := keySecret(tableSession, secret)
	rec, err := view(ctx, h.registry(), func(t *teamTx) (sessionRecord, error) { return t.session(key) })
	if err != nil {
		return SessionInfo{}, err
	}
	return h.sessionOf(ctx, key, rec)
}

// CloseSession ends a session, and within a second what stands on it; see
// [Team.SignedIn]. One that there is not is no error.
func (h *Hub) CloseSession(ctx context.Context, secret string) error {
	_, err := update(ctx, h.registry(), actor{}, func(t *teamTx) (struct{}, error) {
		t.del(keySecret(tableSession, secret))
		t.tx.Note(holdsNote{})
		return struct{}{}, nil
	})
	return err
}

// sessionOf finds whom the record at a key speaks for now.
func (h *Hub) sessionOf(ctx context.Context, key keyspace.Key, rec sessionRecord) (SessionInfo, error) {
	info := SessionInfo{Role: RoleAdmin, ExpiresAt: rec.ends(), Proof: rec.Proof, key: string(key)}
	if rec.Credential == "" {
		return info, nil
	}
	s, err := h.teamByID(ctx, rec.Team)
	if err != nil {
		return SessionInfo{}, err
	}
	if s == nil {
		return SessionInfo{}, badToken()
	}
	p, err := s.principal(ctx, rec.Credential, nil)
	if err != nil {
		return SessionInfo{}, err
	}
	info.Role, info.TeamID, info.Team, info.Name, info.Principal = p.Role, p.Team, p.TeamName, p.Name, p
	return info, nil
}

// ReaderOf returns the team that a principal of this hub may read. The handle's waits
// end with the principal's token.
func (h *Hub) ReaderOf(ctx context.Context, p Principal) (*Team, error) {
	s, err := h.teamByID(ctx, p.Team)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, badToken()
	}
	return &Team{state: s, credential: p.credential}, nil
}

// SignedIn returns the handle as the browser of a session has it: what it waits for and
// follows ends with the session too.
func (t *Team) SignedIn(s SessionInfo) *Team {
	own := *t
	own.session = s.key
	return &own
}
