variable "zip" {
  description = "path of the function's code"
  type        = string
}

resource "aws_s3_bucket" "notes" {
  bucket = "notes-for-the-reader"
  tags   = { Name = "notes" }
}

resource "aws_s3_object" "note" {
  bucket  = aws_s3_bucket.notes.id
  key     = "note.txt"
  content = "what the function reads"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.notes.arn}/*"]
  }
}

resource "aws_iam_role" "reader" {
  name               = "reader"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "read" {
  role   = aws_iam_role.reader.id
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_role_policy_attachment" "network" {
  role       = aws_iam_role.reader.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}

resource "aws_lambda_function" "reader" {
  function_name    = "reader"
  role             = aws_iam_role.reader.arn
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  filename         = var.zip
  source_code_hash = filebase64sha256(var.zip)
  timeout          = 5

  vpc_config {
    subnet_ids         = [aws_subnet.closed.id]
    security_group_ids = [aws_security_group.reader.id]
  }

  depends_on = [aws_iam_role_policy_attachment.network]
}
