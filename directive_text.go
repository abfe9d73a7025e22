package atmcp

import "encoding/json"

// The texts of a directive.
const (
	partInstruction = "i"
	partPayload     = "p"
	partResult      = "r"
	partOutput      = "o"
)

func (x *directive) text(part string) textID { return textID{string(x.id), part} }

func (t *teamTx) instruction(x *directive) string {
	return *t.textOf(x.text(partInstruction), x.Instruction)
}

// payload returns the payload as it was sent, nil where there was none.
func (t *teamTx) payload(x *directive) json.RawMessage {
	if text := t.textOf(x.text(partPayload), x.Payload); text != nil {
		return json.RawMessage(*text)
	}
	return nil
}
