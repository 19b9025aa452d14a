# The main script is never cached, so everything is in a module, which is.
import lambda_runtime

lambda_runtime.main()
