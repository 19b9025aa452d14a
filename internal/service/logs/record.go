package logs

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A stream's bytes are records, one after the other:
//
//	length of the body   uint32
//	CRC-32C of the body  uint32
//	body                 timestamp int64, ingestion time int64 (both ms since 1970), message
//
// all big-endian. The first record's message is the stream's header, JSON. Whatever follows the last record that
// reads well is the rest of a write that was cut off, and does not exist.
const (
	recordPrefix = 8
	recordTimes  = 16
	maxRecord    = recordTimes + maxEventBytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errTorn ends a scan where a write was cut off.
var errTorn = errors.New("torn record")

// Event is one line that something logged.
type Event struct {
	Timestamp int64 // ms since 1970
	Message   string
}

// appendRecord appends the record of an event to b.
func appendRecord(b []byte, e Event, ingested int64) []byte {
	start := len(b)
	b = append(b, make([]byte, recordPrefix)...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Timestamp))
	b = binary.BigEndian.AppendUint64(b, uint64(ingested))
	b = append(b, e.Message...)
	body := b[start+recordPrefix:]
	binary.BigEndian.PutUint32(b[start:], uint32(len(body)))
	binary.BigEndian.PutUint32(b[start+4:], crc32.Checksum(body, castagnoli))
	return b
}

// scanner reads records one at a time.
type scanner struct {
	r   *bufio.Reader
	buf []byte
}

func newScanner(r io.Reader) *scanner { return &scanner{r: bufio.NewReaderSize(r, 64<<10)} }

// next reads a record. message is valid until the following call. io.EOF: there are no more; errTorn: what
// follows is not a record.
func (s *scanner) next() (timestamp, ingested int64, message []byte, size int64, err error) {
	var prefix [recordPrefix]byte
	switch _, err := io.ReadFull(s.r, prefix[:]); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return 0, 0, nil, 0, errTorn
	case err != nil:
		return 0, 0, nil, 0, err
	}
	n := binary.BigEndian.Uint32(prefix[:])
	if n < recordTimes || n > maxRecord {
		return 0, 0, nil, 0, errTorn
	}
	if cap(s.buf) < int(n) {
		s.buf = make([]byte, n)
	}
	body := s.buf[:n]
	switch _, err := io.ReadFull(s.r, body); {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return 0, 0, nil, 0, errTorn
	case err != nil:
		return 0, 0, nil, 0, fmt.Errorf("read record: %w", err)
	}
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(prefix[4:]) {
		return 0, 0, nil, 0, errTorn
	}
	timestamp = int64(binary.BigEndian.Uint64(body))
	ingested = int64(binary.BigEndian.Uint64(body[8:]))
	return timestamp, ingested, body[recordTimes:], recordPrefix + int64(n), nil
}
