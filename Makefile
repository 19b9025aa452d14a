# Each target is one or two plain commands; CI calls only these.
export CGO_ENABLED = 0

demo:        ## run the whole story: a private function fails to reach S3, and is mended; draw both roads into dist/pictures
	go run -ldflags='-s -w' ./cmd/culvert demo --pictures dist/pictures

test:        ## all tests, kernel tests included; neither root nor anything but Go is needed
	go test ./...

agree:       ## N random pairs: what explain says is what the kernel does; the seed is printed, and what differs is kept in testdata
	go test ./internal/network/agree -run 'TestExplainSaysWhatTheKernelDoes|TestNetworksThatOnceDifferedAgree' -count=1 -timeout 0 -v -agree.pairs=$(or $(N),10000)

build:       ## the program, into ./culvert
	go build -trimpath -ldflags='-s -w' -o culvert ./cmd/culvert

generate:    ## the types of the AWS APIs and the generated pages
	go generate ./...

check:       ## vet, staticcheck, and that generated files and go.mod are up to date
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	go generate ./... && git diff --exit-code
	go mod tidy -diff && cd tools && go mod tidy -diff

bench:       ## the table of docs/performance.md
	go run ./test/performance

e2e-terraform: ## the real Terraform and the examples against a region; TF_PLUGIN_DIR says where the AWS provider is
	go test -count=1 -timeout 40m -v ./test/e2e/terraform

fuzz:        ## a minute for each fuzz test
	./test/fuzz.sh

.PHONY: demo test build generate check agree bench e2e-terraform fuzz
