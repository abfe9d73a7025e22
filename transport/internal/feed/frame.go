package feed

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
)

// Frame is one message, encoded once for all who read it: its JSON, and the
// WebSocket text frame around it. Servers do not mask frames, so that these bytes
// are the same for every reader.
type Frame struct {
	raw  []byte
	text int // where the JSON begins
}

// WebSocket returns the whole frame as it goes over the wire.
func (f Frame) WebSocket() []byte { return f.raw }

// JSON returns the message alone.
func (f Frame) JSON() []byte { return f.raw[f.text:] }

// Of encodes a message.
func Of(v any) (Frame, error) {
	text, err := encode(v)
	if err != nil {
		return Frame{}, err
	}
	return framed(text), nil
}

func framed(text []byte) Frame {
	raw := appendFrame(make([]byte, 0, len(text)+maxHeader), text)
	return Frame{raw, len(raw) - len(text)}
}

// maxHeader is the longest header of a frame that is not masked.
const maxHeader = 10

// appendFrame appends a final text frame, RFC 6455 section 5.2.
func appendFrame(dst, text []byte) []byte {
	const finalText = 0x81
	switch n := len(text); {
	case n < 126:
		dst = append(dst, finalText, byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, finalText, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, finalText, 127), uint64(n))
	}
	return append(dst, text...)
}

// encode is JSON without escaped HTML and without a newline.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
