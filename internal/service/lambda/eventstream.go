package lambda

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// eventMessage encodes one message of AWS's event streams: lengths, headers and payload, each part with its checksum.
// See the SDK's reference, "Event stream encoding".
func eventMessage(kind, contentType string, payload []byte) []byte {
	var headers bytes.Buffer
	for _, h := range [][2]string{{":message-type", "event"}, {":event-type", kind}, {":content-type", contentType}} {
		headers.WriteByte(byte(len(h[0])))
		headers.WriteString(h[0])
		headers.WriteByte(7) // a text
		_ = binary.Write(&headers, binary.BigEndian, uint16(len(h[1])))
		headers.WriteString(h[1])
	}
	var out bytes.Buffer
	put := func(n uint32) { _ = binary.Write(&out, binary.BigEndian, n) }
	put(uint32(16 + headers.Len() + len(payload)))
	put(uint32(headers.Len()))
	put(crc32.ChecksumIEEE(out.Bytes()))
	out.Write(headers.Bytes())
	out.Write(payload)
	put(crc32.ChecksumIEEE(out.Bytes()))
	return out.Bytes()
}
