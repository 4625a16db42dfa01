// Command hacsync synchronises users from HENNGE Access Control to Microsoft 365.
package main

func main() {}
