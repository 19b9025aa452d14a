// The tools of the project, apart so that what they need is not what the program needs.
module github.com/culvert-cloud/culvert/tools

go 1.26.0

require github.com/aws/aws-sdk-go v1.55.8

require github.com/jmespath/go-jmespath v0.4.0 // indirect
