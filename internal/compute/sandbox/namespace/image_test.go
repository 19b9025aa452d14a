package namespace

import (
	"fmt"
	"os"
	"testing"
)

func TestNobodyCanWriteToTheImageOfThisProgram(t *testing.T) {
	for name, make := range map[string]func() (*os.File, error){"through a read-only mount": readOnlyImage, "a sealed copy": sealedImage} {
		t.Run(name, func(t *testing.T) {
			image, err := make()
			if err != nil {
				t.Fatal(err)
			}
			defer image.Close()
			w, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", image.Fd()), os.O_RDWR, 0)
			if err != nil {
				return
			}
			defer w.Close()
			if _, err := w.WriteAt([]byte{0}, 0); err == nil {
				t.Error("written")
			}
		})
	}
}
